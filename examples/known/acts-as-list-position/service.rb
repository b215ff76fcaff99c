require "active_record"
require "acts_as_list"
require "webrick"

ActiveRecord::Base.establish_connection(ENV.fetch("DATABASE_URL"))

class Article < ActiveRecord::Base
  has_many :paragraphs
end

class Paragraph < ActiveRecord::Base
  belongs_to :article
  acts_as_list scope: :article
end

server = WEBrick::HTTPServer.new(BindAddress: "127.0.0.1", Port: ENV.fetch("PORT"), AccessLog: [])
server.mount_proc("/paragraphs") do
  ActiveRecord::Base.connection_pool.with_connection { Article.find(1).paragraphs.create! }
end
server.start
